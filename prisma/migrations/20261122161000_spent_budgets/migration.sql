-- What happens when a budget is spent, and until when its agents make no calls then.
ALTER TABLE "budget" ADD COLUMN "action" TEXT NOT NULL DEFAULT 'warn';
ALTER TABLE "agent" ADD COLUMN "budget_spent_until" TIMESTAMPTZ(3);
CREATE INDEX "agent_budget_spent_until_idx" ON "agent" ("budget_spent_until");
