-- Prices per unit that a result reports, and what results reported.
ALTER TABLE "price" ADD COLUMN "unit" TEXT;
ALTER TABLE "price" ADD CONSTRAINT "price_unit" CHECK (("basis" = 'unit') = ("unit" IS NOT NULL));
ALTER TABLE "audit_event" ADD COLUMN "units" JSONB;
