import { InvalidArgumentError } from 'commander';

/** An amount of money as people write it, such as `12.5`, in millionths: exact, or refused. */
export function microsOf(text: string): string {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a number with at most six decimals, such as 12.5.');
  return String(BigInt(`${match[1] ?? ''}${(match[2] ?? '').padEnd(6, '0')}`));
}

/** Millionths as a decimal number, without passing through one that rounds. */
export function amountText(micros: string): string {
  const digits = micros.padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
