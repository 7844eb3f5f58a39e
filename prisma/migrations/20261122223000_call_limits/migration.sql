-- How often an agent, the members of a group together, a server or some of its tools may be called. Whose limit it is never changes.
CREATE TABLE "call_limit" (
  "id" UUID NOT NULL,
  "agent_id" UUID,
  "group_id" UUID,
  "server_id" UUID,
  "tools" TEXT[] NOT NULL,
  "terms" JSONB NOT NULL,
  "reason" TEXT,
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "call_limit_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "call_limit_one_subject" CHECK (num_nonnulls("agent_id", "group_id", "server_id") = 1),
  CONSTRAINT "call_limit_tools_of_server" CHECK ("server_id" IS NOT NULL OR cardinality("tools") = 0)
);
CREATE INDEX "call_limit_agent_id_idx" ON "call_limit" ("agent_id");
CREATE INDEX "call_limit_group_id_idx" ON "call_limit" ("group_id");
CREATE INDEX "call_limit_server_id_idx" ON "call_limit" ("server_id");
ALTER TABLE "call_limit" ADD CONSTRAINT "call_limit_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "call_limit" ADD CONSTRAINT "call_limit_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "agent_group" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "call_limit" ADD CONSTRAINT "call_limit_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server" ("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TRIGGER keep_policy_row AFTER INSERT OR UPDATE OR DELETE ON call_limit FOR EACH ROW
  WHEN (coalesce(current_setting('portcullis.revision', true), '') <> '') EXECUTE FUNCTION keep_policy_row('id', 'updated_at', '');
