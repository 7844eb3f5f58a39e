-- Servers of stdio: what runs (one approved tuple), which runner hosts it, and the runners.
ALTER TYPE "credential_kind" ADD VALUE 'environment';

CREATE TYPE "launch_profile_state" AS ENUM ('pending', 'approved', 'rejected', 'superseded');

ALTER TABLE "join_token" ADD COLUMN "opens" TEXT NOT NULL DEFAULT 'node';

CREATE TABLE "runner" (
  "id" UUID NOT NULL,
  "name" TEXT NOT NULL,
  "key_id" TEXT NOT NULL,
  "key_hash" TEXT NOT NULL,
  "pepper_id" TEXT NOT NULL,
  "sealing_public_key" TEXT NOT NULL,
  "access_version" INTEGER NOT NULL DEFAULT 1,
  "access_token" TEXT NOT NULL,
  "access_token_for_nodes" TEXT NOT NULL,
  "address" TEXT,
  "version" TEXT,
  "boot" UUID,
  "capacity" INTEGER NOT NULL DEFAULT 1,
  "sandbox" JSONB,
  "servers" JSONB NOT NULL DEFAULT '[]',
  "enrolled_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "last_seen_at" TIMESTAMPTZ(3),
  "left_at" TIMESTAMPTZ(3),
  CONSTRAINT "runner_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "runner_name_key" ON "runner" ("name");
CREATE UNIQUE INDEX "runner_key_id_key" ON "runner" ("key_id");

-- No rows of it are kept by revisions: an approval has no way back but another decision.
CREATE TABLE "launch_profile" (
  "id" UUID NOT NULL,
  "server_id" UUID NOT NULL,
  "version" INTEGER NOT NULL,
  "state" "launch_profile_state" NOT NULL DEFAULT 'pending',
  "profile" JSONB NOT NULL,
  "hash" TEXT NOT NULL,
  "proposed_by" TEXT NOT NULL,
  "proposed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "reason" TEXT,
  "decided_by" TEXT,
  "decided_at" TIMESTAMPTZ(3),
  "decision_reason" TEXT,
  CONSTRAINT "launch_profile_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "launch_profile_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "launch_profile_server_id_version_key" ON "launch_profile" ("server_id", "version");
CREATE INDEX "launch_profile_state_id_idx" ON "launch_profile" ("state", "id");

-- Where a server of stdio is hosted: by whom, whom that was told of, and what nodes were told.
CREATE TABLE "hosting" (
  "server_id" UUID NOT NULL,
  "generation" INTEGER NOT NULL DEFAULT 0,
  "runner_id" UUID,
  "told_at" TIMESTAMPTZ(3),
  "discover" BOOLEAN NOT NULL DEFAULT true,
  "place_runner_id" UUID,
  "place_address" TEXT,
  "log" TEXT,
  "logged_at" TIMESTAMPTZ(3),
  CONSTRAINT "hosting_pkey" PRIMARY KEY ("server_id"),
  CONSTRAINT "hosting_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT "hosting_runner_id_fkey" FOREIGN KEY ("runner_id") REFERENCES "runner" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT "hosting_place_runner_id_fkey" FOREIGN KEY ("place_runner_id") REFERENCES "runner" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE INDEX "hosting_runner_id_idx" ON "hosting" ("runner_id");
CREATE INDEX "hosting_place_runner_id_idx" ON "hosting" ("place_runner_id");
