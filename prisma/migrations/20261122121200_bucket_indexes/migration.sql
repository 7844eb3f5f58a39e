-- The bucket of an entity, as bucketOf of contracts/snapshot: a publisher finds what lies in one without looking at everything.
CREATE FUNCTION policy_bucket(id uuid) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT ('x' || right(id::text, 3))::bit(12)::integer % 1024 $$;
CREATE INDEX server_bucket_idx ON server (policy_bucket(id));
CREATE INDEX agent_bucket_idx ON agent (policy_bucket(id));
CREATE INDEX access_grant_bucket_idx ON access_grant (policy_bucket(coalesce(agent_id, group_id)));
