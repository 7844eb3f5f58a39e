-- What an operator's request under an Idempotency-Key was, and what it was answered with. Both are sealed: an answer may hold a key that is shown once.
CREATE TABLE "idempotency_key" (
  "operator_id" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "attempt" UUID NOT NULL,
  "is_made" BOOLEAN NOT NULL DEFAULT false,
  "is_answered" BOOLEAN NOT NULL DEFAULT false,
  "sealed" TEXT NOT NULL,
  "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("operator_id", "key")
);
CREATE INDEX "idempotency_key_started_at_idx" ON "idempotency_key" ("started_at");
