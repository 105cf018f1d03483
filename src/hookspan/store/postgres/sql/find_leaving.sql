-- An application that may move to another database: its id, and since when it is frozen. Leans on application_public.
select id, frozen_at from application where public_id = %s and deleted_at is null
