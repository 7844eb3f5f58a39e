ALTER TABLE "server" ADD COLUMN "tls_key" TEXT;

-- What discovery notes down is no policy.
DROP TRIGGER keep_policy_row ON server;
CREATE TRIGGER keep_policy_row AFTER INSERT OR UPDATE OR DELETE ON server FOR EACH ROW
  WHEN (coalesce(current_setting('portcullis.revision', true), '') <> '')
  EXECUTE FUNCTION keep_policy_row('id', 'updated_at,era,era_seen_at,both_eras,transport,instructions,capabilities_json,approve_first_discovery,discovered_at,discovery_error,discovery_problems,next_discovery_at,seen_at,software,tls_key,list_ttl_seconds,discovery_failures,announced_at,announcements,drift_counted_since', '');
