-- Batches that nodes bring themselves while Redis takes none.
CREATE TABLE "audit_handover" (
    "id" BIGSERIAL NOT NULL,
    "node" TEXT NOT NULL,
    "boot" UUID NOT NULL,
    "first_seq" BIGINT NOT NULL,
    "last_seq" BIGINT NOT NULL,
    "batch" BYTEA NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_handover_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_handover_node_boot_first_seq_last_seq_key" ON "audit_handover"("node", "boot", "first_seq", "last_seq");
