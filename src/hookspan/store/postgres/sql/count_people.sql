-- How many people an application has, or the operator (0). Leans on person_application.
select count(*) from person where application_id = %s
