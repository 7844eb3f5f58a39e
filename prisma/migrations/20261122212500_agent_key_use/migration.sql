-- In which minute an agent's key was last called with, as the trail says. Apart from `agent_key`, whose rows are policy.
CREATE TABLE "agent_key_use" (
  "key_id" TEXT NOT NULL,
  "last_used_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "agent_key_use_pkey" PRIMARY KEY ("key_id")
) WITH (fillfactor = 85);
ALTER TABLE "agent_key_use" ADD CONSTRAINT "agent_key_use_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "agent_key" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
