import type { ServerResponse } from 'node:http';
import { lineFor, startScriptedApi, type Asked, type ScriptedApi } from './scripted-api.js';

interface Part {
  readonly text?: string;
  readonly functionResponse?: unknown;
}

interface Body {
  readonly contents?: readonly { readonly role?: string; readonly parts?: readonly Part[] }[];
}

/**
 * As much of the Gemini API as a headless Gemini CLI needs: it asks for one command and then says that
 * it is done. No two answers have the same usage, so that none can stand for another.
 */
export function startGeminiApi(): Promise<ScriptedApi> {
  return startScriptedApi<Body>(/:(streamGenerateContent|generateContent|countTokens)/, answer);
}

function answer({ path, body, number }: Asked<Body>, response: ServerResponse): void {
  if (path.includes(':countTokens')) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ totalTokens: 6_000 }));
    return;
  }
  const parts = body.contents?.at(-1)?.parts ?? [];
  const hasToolResult = parts.some(({ functionResponse }) => functionResponse !== undefined);
  const { command, answer: text } = lineFor(body, hasToolResult);
  const part =
    text !== null
      ? { text }
      : {
          functionCall: {
            name: 'run_shell_command',
            args: { command, description: 'works' },
          },
          thoughtSignature: 'c2NyaXB0ZWQ=',
        };
  const answered = JSON.stringify(answerOf(path, part, number));
  const streamed = path.includes(':stream');
  response.writeHead(200, {
    'content-type': streamed ? 'text/event-stream' : 'application/json',
  });
  response.end(streamed ? `data: ${answered}\r\n\r\n` : answered);
}

function answerOf(path: string, part: object, number: number): object {
  const prompt = 6_000 + 1_000 * number;
  const [candidates, thoughts] = [20 + number, 40 + number];
  return {
    candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: {
      promptTokenCount: prompt,
      cachedContentTokenCount: 2_000 + number,
      candidatesTokenCount: candidates,
      thoughtsTokenCount: thoughts,
      totalTokenCount: prompt + candidates + thoughts,
    },
    modelVersion: /models\/([^:]+)/.exec(path)?.[1],
    responseId: `scripted-${number}`,
  };
}
