-- What an agent, the members of a group or the agents of an owner may cost in a month.
CREATE TABLE "budget" (
  "id" UUID NOT NULL,
  "name" TEXT NOT NULL,
  "subject_kind" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount_micros" BIGINT NOT NULL,
  "warn_percents" INTEGER[],
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "budget_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "budget_amount" CHECK ("amount_micros" > 0)
);

-- What agents have cost in a month, of everything below the place of alert_cursor.
CREATE TABLE "cost_spent" (
  "month" TEXT NOT NULL,
  "agent" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "micros" DECIMAL(40,0) NOT NULL,
  CONSTRAINT "cost_spent_pkey" PRIMARY KEY ("month", "agent", "currency")
);
-- Set where prices or budgets changed: what was counted so far has to be counted anew.
ALTER TABLE "alert_cursor" ADD COLUMN "recount" BOOLEAN NOT NULL DEFAULT true;
