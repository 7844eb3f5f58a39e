-- AlterTable
ALTER TABLE "audit_watermark"
    ADD COLUMN "reported_seq" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "behind_since" TIMESTAMPTZ(3);
