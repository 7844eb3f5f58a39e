-- CreateEnum
CREATE TYPE "grant_mode" AS ENUM ('enforce', 'shadow');

-- AlterTable
ALTER TABLE "access_grant"
    ADD COLUMN "selector" JSONB,
    ADD COLUMN "condition" TEXT,
    ADD COLUMN "pinned" JSONB,
    ADD COLUMN "rate_limit" JSONB,
    ADD COLUMN "mode" "grant_mode" NOT NULL DEFAULT 'enforce',
    ALTER COLUMN "server_id" DROP NOT NULL;

ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_one_target" CHECK ((server_id IS NULL) <> (selector IS NULL));
