-- What calls cost, each by the price that counts for it, counted once from the trail as it is stored: for each hour and each day.
CREATE TABLE "cost_sum" (
  "unit" TEXT NOT NULL,
  "start" TIMESTAMPTZ(3) NOT NULL,
  "agent" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "calls" BIGINT NOT NULL,
  "micros" DECIMAL(40,0) NOT NULL,
  CONSTRAINT "cost_sum_pkey" PRIMARY KEY ("unit", "start", "agent", "server", "tool", "currency")
) WITH (fillfactor = 85);

-- Up to where the trail was counted: everything that transactions below this one stored.
CREATE TABLE "cost_sum_cursor" (
  "id" INTEGER NOT NULL DEFAULT 1,
  "stored_tx" BIGINT NOT NULL,
  CONSTRAINT "cost_sum_cursor_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "cost_sum_cursor_one" CHECK ("id" = 1)
);
INSERT INTO "cost_sum_cursor" ("id", "stored_tx") VALUES (1, 0);

-- From when on prices were changed, in the order in which that happened.
CREATE TABLE "price_change" (
  "id" BIGSERIAL NOT NULL,
  "effective_from" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "price_change_pkey" PRIMARY KEY ("id")
);

-- Days that are in the sums, and the last change of prices that they know.
CREATE TABLE "cost_sum_day" (
  "day" DATE NOT NULL,
  "price_change" BIGINT NOT NULL,
  CONSTRAINT "cost_sum_day_pkey" PRIMARY KEY ("day")
);
