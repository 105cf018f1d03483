-- Drops what an application has of notices beyond the newest :most. Leans on notice_application.
delete from notice
where id in (
  select id from notice indexed by notice_application where application_id = :application_id
  order by id desc
  limit -1 offset :most
)
