-- What servers are called with. Secrets are sealed for their row and version; `holder_id` is the agent it is for, else the server itself.
ALTER TYPE "key_purpose" ADD VALUE 'credential';

CREATE TYPE "credential_kind" AS ENUM ('headers', 'client_credentials', 'authorization_code');

CREATE TABLE "credential" (
  "id" UUID NOT NULL,
  "server_id" UUID NOT NULL,
  "agent_id" UUID,
  "holder_id" UUID NOT NULL,
  "kind" "credential_kind" NOT NULL,
  "version" INTEGER NOT NULL DEFAULT 1,
  "settings" JSONB NOT NULL,
  "sealed" TEXT NOT NULL,
  "sealed_for_nodes" TEXT NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'ready',
  "status_reason" TEXT,
  "connected_at" TIMESTAMPTZ(3),
  "connected_by" TEXT,
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "credential_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "credential_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT "credential_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "credential_server_id_holder_id_key" ON "credential" ("server_id", "holder_id");
CREATE INDEX "credential_agent_id_idx" ON "credential" ("agent_id");

-- What an operator's connection was given; never in a revision, since it changes by itself.
CREATE TABLE "credential_token" (
  "credential_id" UUID NOT NULL,
  "generation" INTEGER NOT NULL DEFAULT 1,
  "access_token" TEXT NOT NULL,
  "access_expires_at" TIMESTAMPTZ(3),
  "refresh_token" TEXT,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "credential_token_pkey" PRIMARY KEY ("credential_id"),
  CONSTRAINT "credential_token_credential_id_fkey" FOREIGN KEY ("credential_id") REFERENCES "credential" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "credential_token_access_expires_at_idx" ON "credential_token" ("access_expires_at");

-- A connection that an operator has begun; `state_hash` is of what comes back once.
CREATE TABLE "credential_connection" (
  "state_hash" TEXT NOT NULL,
  "credential_id" UUID NOT NULL,
  "credential_version" INTEGER NOT NULL,
  "operator" TEXT NOT NULL,
  "token_id" TEXT,
  "verifier" TEXT NOT NULL,
  "redirect_uri" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "expires_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "credential_connection_pkey" PRIMARY KEY ("state_hash"),
  CONSTRAINT "credential_connection_credential_id_fkey" FOREIGN KEY ("credential_id") REFERENCES "credential" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "credential_connection_credential_id_idx" ON "credential_connection" ("credential_id");
