-- Takes publisher ids; those taken before stay as they are. Leans on the primary key.
insert or ignore into publish_key (application_id, publisher_id, event_id, input_hash) values (?, ?, ?, ?)
