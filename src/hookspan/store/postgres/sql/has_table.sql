-- Whether there is a table of this name.
select to_regclass(%(name)s) is not null
