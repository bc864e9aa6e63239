-- The roles of Gatehouse. Whoever runs it needs CREATEROLE and nothing more; safe to run again. No password stands here: README.md sets them.
--
-- Of each service:
--   gatehouse_user            what the service may do: the rows of its schema. Nobody logs in as it
--   gatehouse_user_a, _b      who logs in: one is in use, the other is for the next password
--   gatehouse_user_migrator   whose the tables are, and who changes them: `gatehouse migrate`

do $$
declare
  service text;
  duty text;
  login text;
begin
  foreach service in array array['user', 'auth', 'notification'] loop
    duty := 'gatehouse_' || service;
    if not exists (select from pg_roles where rolname = duty) then
      execute format('create role %I nologin', duty);
    end if;
    foreach login in array array[duty || '_a', duty || '_b'] loop
      if not exists (select from pg_roles where rolname = login) then
        execute format('create role %I login in role %I', login, duty);
      end if;
      execute format('alter role %I set search_path = %I', login, duty);
      -- What the service asks of each connection. A pooler in between does not pass that on.
      execute format('alter role %I set statement_timeout = %L', login, '5s');
      execute format('alter role %I set lock_timeout = %L', login, '4s');
      execute format('alter role %I set idle_in_transaction_session_timeout = %L', login, '10s');
    end loop;
    login := duty || '_migrator';
    if not exists (select from pg_roles where rolname = login) then
      execute format('create role %I login', login);
    end if;
    execute format('alter role %I set search_path = %I', login, duty);
  end loop;
end
$$;
