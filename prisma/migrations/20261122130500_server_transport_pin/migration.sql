-- AlterTable
ALTER TABLE "server" ADD COLUMN "transport_pin" TEXT NOT NULL DEFAULT 'auto';
