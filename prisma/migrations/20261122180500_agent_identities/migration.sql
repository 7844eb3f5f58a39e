-- What trusted issuers call an agent in their access tokens. One name means one agent, and an agent's names go with it.
CREATE TABLE "agent_identity" (
  "id" UUID NOT NULL,
  "agent_id" UUID NOT NULL,
  "issuer" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "agent_identity_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "agent_identity_issuer_subject_key" ON "agent_identity" ("issuer", "subject");
CREATE INDEX "agent_identity_agent_id_idx" ON "agent_identity" ("agent_id");
ALTER TABLE "agent_identity" ADD CONSTRAINT "agent_identity_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent" ("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TRIGGER keep_policy_row AFTER INSERT OR UPDATE OR DELETE ON agent_identity FOR EACH ROW
  WHEN (coalesce(current_setting('portcullis.revision', true), '') <> '') EXECUTE FUNCTION keep_policy_row('id', '', '');

-- Whom the caller of a call spoke for. Few events have one, and the others are to pay nothing for it.
ALTER TABLE "audit_event" ADD COLUMN "on_behalf_of" TEXT;
CREATE INDEX "audit_event_on_behalf_of_call_id_idx" ON "audit_event" ("on_behalf_of", "call_id" DESC) WHERE "on_behalf_of" IS NOT NULL;
