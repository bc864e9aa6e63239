-- The schemas of Gatehouse in the database that the session is connected to. Whoever runs it owns the database, and is member of nothing; safe to run again.
-- With three databases each gets one: `set gatehouse.services = 'user'` before it, in the same session. Without that it makes all three.

do $$
declare
  services text := coalesce(nullif(current_setting('gatehouse.services', true), ''), 'user,auth,notification');
  service text;
  duty text;
begin
  -- Everybody may connect to a new database, and look into its schema public.
  execute format('revoke all on database %I from public', current_database());
  revoke all on schema public from public;
  foreach service in array string_to_array(services, ',') loop
    duty := 'gatehouse_' || service;
    execute format('grant connect on database %I to %I, %I', current_database(), duty, duty || '_migrator');
    execute format('create schema if not exists %I', duty);
    -- It hands the use of the schema on to the service, with the rows.
    execute format('grant usage on schema %I to %I with grant option', duty, duty || '_migrator');
    execute format('grant create on schema %I to %I', duty, duty || '_migrator');
  end loop;
end
$$;
