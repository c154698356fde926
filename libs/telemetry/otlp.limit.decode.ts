import { limits } from '#kernel/limits.js';
import type { AttributeValue } from './otlp.records.js';

/** Why a body is not the export it claims to be. The message is one sentence for the sender. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';

  constructor(
    /** `malformed`: no reader could use it. `too-large`: it holds more than one export may. */
    readonly code: 'malformed' | 'too-large',
    message: string,
  ) {
    super(message);
  }
}

export function malformed(message: string): DecodeError {
  return new DecodeError('malformed', message);
}

/** Counts what one export holds, whatever its encoding, and refuses what is more than it may. */
export class Tally {
  private records = 0;
  private values = 0;

  record(): void {
    this.records += 1;
    if (this.records > limits.recordsPerExportMax) {
      throw new DecodeError(
        'too-large',
        `The export holds more than ${limits.recordsPerExportMax} records; send smaller batches.`,
      );
    }
  }

  /** One attribute, array element, resource, scope, metric or span event: all that costs memory. */
  value(): void {
    this.values += 1;
    if (this.values > limits.attributesPerExportMax) {
      throw new DecodeError(
        'too-large',
        `The export holds more than ${limits.attributesPerExportMax} attributes and nested values; send smaller batches.`,
      );
    }
  }

  /** @param level 1 for a value that stands in nothing else. */
  level(level: number): void {
    if (level > limits.nestingLevelsMax) {
      throw malformed(`Values are nested more than ${limits.nestingLevelsMax} levels deep.`);
    }
  }
}

/** A map of attributes under construction. */
export type Bag = Record<string, AttributeValue>;

/**
 * An object without Object.prototype, so that a key such as `__proto__` is a key like any other.
 * It is made by a constructor because V8 keeps such objects fast, unlike those of
 * `Object.create(null)`: worth a third of the decoding time.
 */
export const emptyBag = (() => {
  function Bag(): void {
    // Has no members of its own.
  }
  Bag.prototype = Object.freeze(Object.create(null) as object);
  const constructor = Bag as unknown as new () => Bag;
  return (): Bag => new constructor();
})();

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A number where a number holds it exactly, else a decimal string; undefined beyond 64 bits. */
export function int64Value(value: bigint): number | string | undefined {
  if (value < INT64_MIN || value > INT64_MAX) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

const ZEROS = /^0*$/;

/** Ids of the wrong length or of zeros only count as unset, as the data model asks of receivers. */
export function validId(hex: string, bytes: number): string {
  return hex.length === bytes * 2 && !ZEROS.test(hex) ? hex : '';
}

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

export function temporalityOf(value: number): 'delta' | 'cumulative' | 'unspecified' {
  if (value === 1) return 'delta';
  return value === 2 ? 'cumulative' : 'unspecified';
}

/** Set in a data point's flags when the series has no value at this time. */
export const NO_RECORDED_VALUE = 1;
