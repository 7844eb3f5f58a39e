import { ApiError } from '@portcullis/api-client';
import { LocalServiceError } from '@portcullis/local-services';
import { CommanderError } from 'commander';
import { CliError, messageOf } from './cli-error.js';
import { readEnvironment } from './config.js';
import { createProgram } from './create-program.js';
import { plainLines } from './plain-text.js';

const exitError = 2;

// Whoever read our output may stop reading: that ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  process.exitCode = await createProgram(readEnvironment()).run(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
// Signal handlers and idle sockets must not keep a finished command alive.
process.exit();

function exitCodeOf(error: unknown): number {
  // Commander has said what is wrong; help and the version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitError;
  const isExpected = error instanceof CliError || error instanceof LocalServiceError || error instanceof ApiError;
  // What a server said may be in it.
  process.stderr.write(`portcullis: ${plainLines(isExpected ? messageOf(error) : `unexpected: ${messageOf(error)}`)}\n`);
  return exitError;
}
