-- Notes below which id no delivery is pending.
update fact set value = %s where name = 'lowest_pending'
