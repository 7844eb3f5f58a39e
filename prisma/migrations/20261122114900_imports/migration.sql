-- CreateEnum
CREATE TYPE "import_state" AS ENUM ('running', 'finished', 'cancelled', 'interrupted', 'failed');

-- CreateEnum
CREATE TYPE "import_row_state" AS ENUM ('created', 'updated', 'unchanged', 'skipped', 'failed');

-- AlterTable
ALTER TABLE "server" ADD COLUMN     "description" TEXT,
ADD COLUMN     "import_key" TEXT,
ADD COLUMN     "import_source" TEXT,
ADD COLUMN     "imported_json" TEXT;

-- CreateTable
CREATE TABLE "server_import" (
    "id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "dry_run" BOOLEAN NOT NULL DEFAULT false,
    "url" TEXT,
    "updated_since" TIMESTAMPTZ(3),
    "state" "import_state" NOT NULL DEFAULT 'running',
    "detail" TEXT,
    "received" INTEGER NOT NULL DEFAULT 0,
    "created" INTEGER NOT NULL DEFAULT 0,
    "updated" INTEGER NOT NULL DEFAULT 0,
    "unchanged" INTEGER NOT NULL DEFAULT 0,
    "skipped" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "revision" INTEGER,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "alive_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "server_import_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "server_import_row" (
    "import_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "line" INTEGER NOT NULL,
    "state" "import_row_state" NOT NULL,
    "code" TEXT,
    "pointer" TEXT,
    "detail" TEXT,
    "source_key" TEXT,
    "slug" TEXT,
    "notes" TEXT[],

    CONSTRAINT "server_import_row_pkey" PRIMARY KEY ("import_id","number")
);

-- CreateIndex
CREATE UNIQUE INDEX "server_import_source_import_key_key" ON "server"("import_source", "import_key");

-- AddForeignKey
ALTER TABLE "server_import_row" ADD CONSTRAINT "server_import_row_import_id_fkey" FOREIGN KEY ("import_id") REFERENCES "server_import"("id") ON DELETE CASCADE ON UPDATE CASCADE;
