-- Drops what a deleted application has left of notices. Leans on notice_application.
delete from notice where application_id = %s
