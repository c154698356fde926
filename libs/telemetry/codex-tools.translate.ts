import { booleanOf, countOf, identifierOf, textOf } from './attributes.translate.js';
import { idOf } from './codex-record.translate.js';
import type { Report, Result } from './codex-record.translate.js';
import { draftOf } from './translator.translate.js';

/** Tool calls: who let them happen and what came of them. */

export function toolDecided(report: Report): Result {
  const { attributes, session } = report;
  const toolName = identifierOf(attributes['tool_name']);
  const decision = decisionOf(textOf(attributes['decision']) ?? '');
  if (toolName === undefined) return { reason: 'tool_name is missing or too long' };
  if (decision === undefined) return { reason: 'decision is neither an approval nor a denial' };
  const id = idOf(report, 'decided');
  const draft = draftOf(report, 'ToolDecided', id, {
    ...session,
    toolUseId: identifierOf(attributes['call_id']) ?? id,
    toolName,
    decision,
    decidedBy: identifierOf(attributes['source']) ?? 'unknown',
  });
  return { draft };
}

/** Codex tells apart for how long and on what terms: `approved_for_session`, `denied_with_...`. */
function decisionOf(decision: string): 'accept' | 'reject' | undefined {
  if (decision.startsWith('approved')) return 'accept';
  const isDenied = decision.startsWith('denied') || ['abort', 'timed_out'].includes(decision);
  return isDenied ? 'reject' : undefined;
}

/** The tool whose input is a script that calls the others; each of those calls has its own result. */
const WRAPPER = 'exec';

export function toolFinished(report: Report): Result {
  const { attributes, session } = report;
  const toolName = identifierOf(attributes['tool_name']);
  const succeeded = booleanOf(attributes['success']);
  if (toolName === undefined) return { reason: 'tool_name is missing or too long' };
  if (succeeded === undefined) return { reason: 'success is neither true nor false' };
  // A script that failed may have called nothing: then only this tells of it.
  if (toolName === WRAPPER && succeeded) return { noise: 'tool_result/wrapper' };
  const input = textOf(attributes['arguments']);
  const output = textOf(attributes['output']);
  const isWhole = booleanOf(attributes['output_truncated']) !== true;
  const id = idOf(report, 'finished');
  const draft = draftOf(
    report,
    'ToolFinished',
    id,
    {
      ...session,
      toolUseId: identifierOf(attributes['call_id']) ?? id,
      toolName,
      succeeded,
      inputBytes: input === undefined ? null : Buffer.byteLength(input),
      resultBytes: output === undefined || !isWhole ? null : Buffer.byteLength(output),
      durationMs: countOf(attributes['duration_ms']),
    },
    toolContentOf(input, output),
  );
  return { draft };
}

function toolContentOf(input: string | undefined, output: string | undefined): string | undefined {
  const parts = [
    ...(input === undefined ? [] : [`arguments: ${input}`]),
    ...(output === undefined ? [] : [`output: ${output}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('\n\n');
}
