-- Where a delivery stands in its webhook's list. Leans on the primary key.
select event_id, run from delivery where id = ? and application_id = ?
