-- An old delivery is pending again. The note is locked also where it is low enough, or one who raises it at this moment
-- would not have seen the delivery.
update fact set value = least(value, %(id)s) where name = 'lowest_pending'
