import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRecording, recordingGroups } from './recordings.js';
import { decode } from './recordings.spec-helper.js';
import { Redactor } from '#platform/redaction.js';

const { text } = new Redactor([]);

/** Lines of the repository's own text, which holds no secret but for what tests make up. */
function linesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file) && !file.includes('redaction'))
    .filter((file) => !file.includes('node_modules') && !file.includes('dist'))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line.trim() !== '');
}

function wronglyRedacted(lines: readonly string[]): string[] {
  return lines.filter((line) => text(line) !== line);
}

describe('Clean text', () => {
  test('of source and documents is redacted in less than one line of a hundred', () => {
    const lines = ['apps', 'libs', 'eventstore'].flatMap((folder) => linesOf(folder, /\.(ts|md)$/));
    expect(lines.length).toBeGreaterThan(1000);
    expect(wronglyRedacted(lines).length / lines.length).toBeLessThan(0.01);
  });

  test('of a lock file, full of hashes and addresses, stays as it is', () => {
    const lines = readFileSync('package-lock.json', 'utf8').split('\n');
    expect(lines.length).toBeGreaterThan(1000);
    expect(wronglyRedacted(lines)).toEqual([]);
  });

  test('of made-up ids and hashes stays as it is', () => {
    const ids = Array.from({ length: 2000 }, () => [
      randomUUID(),
      randomBytes(20).toString('hex'),
      randomBytes(32).toString('hex'),
      `req_${randomBytes(12).toString('hex')}`,
      `toolu_${randomBytes(12).toString('base64url')}`,
      `sha512-${randomBytes(64).toString('base64')}`,
    ]).flat();
    expect(wronglyRedacted(ids).length / ids.length).toBeLessThan(0.001);
  });

  test('of all recorded telemetry stays as it is', () => {
    const strings = recordingGroups()
      .flatMap((name) => loadRecording(name).bodies)
      .flatMap(({ signal, bytes }) => decode(signal, bytes).records.map((r) => r.attributes))
      .flatMap((attributes) => Object.values(attributes))
      .filter((value) => typeof value === 'string');
    expect(strings.length).toBeGreaterThan(1000);
    expect(wronglyRedacted(strings)).toEqual([]);
  });
});
