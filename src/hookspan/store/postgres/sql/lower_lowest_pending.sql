-- An old delivery is pending again. Where it is not below the note nothing is locked.
update fact set value = %(id)s where name = 'lowest_pending' and value > %(id)s
