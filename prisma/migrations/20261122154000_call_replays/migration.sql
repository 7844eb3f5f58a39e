-- Recorded calls that were made again. No foreign keys: they are read with the trail.
CREATE TABLE "call_replay" (
  "id" UUID NOT NULL,
  "replay_of" UUID NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "operator" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'pending',
  "duration_ms" INTEGER,
  "result_hash" TEXT,
  "result_bytes" INTEGER,
  "same" BOOLEAN,
  CONSTRAINT "call_replay_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "call_replay_replay_of_id_idx" ON "call_replay" ("replay_of", "id");
