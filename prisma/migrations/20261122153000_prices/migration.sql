-- What calls cost. Amounts are millionths of the currency.
CREATE TABLE "price" (
  "id" UUID NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "basis" TEXT NOT NULL,
  "amount_micros" BIGINT NOT NULL,
  "per" BIGINT NOT NULL,
  "currency" TEXT NOT NULL,
  "effective_from" TIMESTAMPTZ(3) NOT NULL,
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "price_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "price_amount" CHECK ("amount_micros" >= 0 AND "per" >= 1)
);
CREATE UNIQUE INDEX "price_server_tool_effective_from_key" ON "price" ("server", "tool", "effective_from");
