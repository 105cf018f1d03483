-- expand
-- For how long (ms) a node may stand still before others take it for dead: its own lease goes by the same. Null: a node of
-- the schema before, of which each goes by its own.
alter table node add column trust_window bigint;
