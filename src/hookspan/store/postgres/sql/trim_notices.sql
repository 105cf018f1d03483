-- Drops what an application has of notices beyond the newest so many, in id order. Leans on notice_application.
delete from notice
where id in (
  select id from notice where application_id = %(application_id)s order by id desc offset %(most)s for update
)
