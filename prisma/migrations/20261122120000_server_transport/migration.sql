-- AlterTable
ALTER TABLE "server" ADD COLUMN     "transport" TEXT NOT NULL DEFAULT 'streamable-http';
