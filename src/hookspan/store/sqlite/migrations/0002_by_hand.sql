-- Second signatures, what a test has sent, and deliveries that a person sends aside of their webhook's queue.
alter table webhook add column also_sign text;
alter table attempt add column request_body blob;
alter table delivery add column is_aside integer not null default 0;
create index delivery_aside on delivery (next_attempt_at) where state = 1 and node = 0 and is_aside = 1;
