import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { limits } from '#kernel/limits.js';
import { identityOf } from '#platform/processes.js';
import { run, type Outcome } from '../../test/terminal.js';

const given = {
  session_id: 's1',
  hook_event_name: 'UserPromptSubmit',
  cwd: '/home/dev/shop',
  prompt_id: 'p1',
  prompt: 'content',
  tool_input: { content: 'content' },
};

let home: string;
let server: Server;
let url: string;
let asked: { path: string; token: string; body: unknown }[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tri-agent-hook-'));
  await writeFile(join(home, 'hooks-token'), 'the-token-of-hooks\n');
  asked = [];
  answer = (_request, response) => {
    respond(response, 200, '{}');
  };
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece: Buffer) => (text += piece.toString()));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      asked.push({ path, token: headers.authorization ?? '', body: JSON.parse(text) as unknown });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true });
});

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text);
}

function hook(
  more: readonly string[] = [],
  stdin: () => AsyncIterable<Uint8Array> = () =>
    Readable.from([Buffer.from(JSON.stringify(given))]),
): Promise<Outcome> {
  const words = ['--url', url, '--token-file', join(home, 'hooks-token')];
  return run({}, ['hook', 'claude-code', ...words, ...more], { stdin });
}

const quiet = { exit: 0, out: '', err: '' };

describe('The command of a hook', () => {
  test('hands on what the agent says but no content, and the process of the agent', async () => {
    expect(await hook(['--parent', String(process.pid)])).toEqual(quiet);
    const process_ = { host: hostname(), ...identityOf(process.pid) };
    expect(asked).toEqual([
      {
        path: '/api/v1/hooks/claude-code',
        token: 'Bearer the-token-of-hooks',
        body: {
          ...{ session_id: 's1', hook_event_name: 'UserPromptSubmit' },
          ...{ cwd: '/home/dev/shop', prompt_id: 'p1', tri_agent: process_ },
        },
      },
    ]);
  });

  test('names no process that is not there', async () => {
    await hook(['--parent', String(2 ** 31 - 1)]);
    expect(asked[0]?.body).not.toHaveProperty('tri_agent');
  });

  test('prints what the agent is answered', async () => {
    answer = (_request, response) => {
      respond(response, 200, '{"continue":false}');
    };
    expect(await hook()).toEqual({ ...quiet, out: '{"continue":false}\n' });
  });

  const troubles: Record<string, () => void | Promise<void>> = {
    'a server that is not there': () => {
      server.closeAllConnections();
      server.close();
    },
    'a server that refuses': () => {
      answer = (_request, response) => {
        respond(response, 401, '{"code":"TOKEN_WRONG"}');
      };
    },
    'a server that breaks off': () => {
      answer = (request) => request.socket.destroy();
    },
    'no token': () =>
      rm(join(home, 'hooks-token')).then(() => {
        refuseAll();
      }),
  };
  const refuseAll = () => {
    answer = (_request, response) => {
      respond(response, 401, '{}');
    };
  };

  test.each(Object.keys(troubles))('does not disturb the agent with %s', async (trouble) => {
    await troubles[trouble]?.();
    expect(await hook()).toEqual(quiet);
  });

  test.each(Object.keys(troubles))('stops the agent with %s where it is to', async (trouble) => {
    await troubles[trouble]?.();
    const { exit, out, err } = await hook(['--closed']);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain(`tri-agent does not answer at ${url}`);
    expect(err).toContain('--hooks open');
  });

  test.each([
    ['nothing', ''],
    ['no JSON', 'Stop'],
    ['null', 'null'],
  ])('given %s does not disturb the agent', async (_what, text) => {
    expect(await hook([], () => Readable.from([Buffer.from(text)]))).toEqual(quiet);
    expect(asked).toEqual([]);
  });

  test('reads no more than the server would take', async () => {
    const piece = Buffer.alloc(limits.apiBodyBytesMax / 4, ' ');
    let read = 0;
    function* endless() {
      for (;;) {
        read += 1;
        yield piece;
      }
    }
    expect(await hook([], () => Readable.from(endless()))).toEqual(quiet);
    expect(read).toBeLessThan(100);
  });

  test('ends by itself when the server does not answer or its input does not end', async () => {
    answer = () => undefined;
    expect((await hook(['--closed'])).exit).toBe(2);
    const open = new Readable({ read: () => undefined });
    expect(await hook([], () => open)).toEqual(quiet);
    expect(open.destroyed).toBe(true);
  });

  test.each([
    [['hook', 'clippy']],
    [['hook', 'claude-code']],
    [['hook', 'claude-code', '--url', 'u', '--token-file', 't', '--parent', '1']],
  ])('refuses other words than connect writes: %j', async (argv) => {
    expect((await run({}, argv)).exit).toBe(2);
  });
});
