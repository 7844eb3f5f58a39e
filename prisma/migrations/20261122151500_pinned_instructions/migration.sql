-- AlterEnum
ALTER TYPE "definition_kind" ADD VALUE 'instructions';
