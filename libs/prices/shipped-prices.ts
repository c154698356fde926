import type { PublishEntries } from './prices.decider.js';

/**
 * The prices that come with this version: list prices of the vendors' own interfaces for text, in
 * their standard tier. What the source does not say (a cache write of a model that has no such price,
 * a fast or batch tier) is left out, and stays unknown.
 *
 * Figures: the price data of @pydantic/genai-prices 0.1.8 of 2026-09-23, which names for each model
 * the vendor's page it was taken from: platform.claude.com/docs/en/about-claude/pricing,
 * developers.openai.com/api/docs/pricing, ai.google.dev/gemini-api/docs/pricing. Looked up on
 * 2026-11-21.
 */
const PRICE_VERSION = 'shipped-2026-11-21';
const SOURCE =
  'List prices of Anthropic, OpenAI and Google as in @pydantic/genai-prices 0.1.8 of 2026-09-23.';

// One price a line, in US dollars per million tokens: the model (its snapshots are it, too; a * stands
// for any ending) and the prompt tokens above which the price counts, then input, output, cache read,
// cache write, cache write for an hour (- is unknown), and the days (UTC) from and until which.

const anthropic = `
  claude-fable-5-1             10     50   0.25   12.5     20
  claude-fable-5               10     50      1   12.5     20
  claude-opus-5-5               4     20    0.2      5      8
  claude-opus-5                 5     25    0.5   6.25     10
  claude-sonnet-5               2     10    0.2    2.5      4
  claude-opus-4-8               5     25    0.5   6.25     10
  claude-opus-4-7               5     25    0.5   6.25     10
  claude-opus-4-6               5     25    0.5   6.25     10  until 2026-03-13
  claude-opus-4-6>200000       10   37.5      1   12.5     20  until 2026-03-13
  claude-opus-4-6               5     25    0.5   6.25     10  from 2026-03-13
  claude-sonnet-4-6             3     15    0.3   3.75      6  until 2026-03-13
  claude-sonnet-4-6>200000      6   22.5    0.6    7.5     12  until 2026-03-13
  claude-sonnet-4-6             3     15    0.3   3.75      6  from 2026-03-13
  claude-opus-4-5               5     25    0.5   6.25     10
  claude-sonnet-4-5             3     15    0.3   3.75      6
  claude-sonnet-4-5>200000      6   22.5    0.6    7.5     12
  claude-haiku-4-5              1      5    0.1   1.25      2
  claude-opus-4-1              15     75    1.5  18.75     30
  claude-opus-4                15     75    1.5  18.75     30
  claude-opus-4-0              15     75    1.5  18.75     30
  claude-sonnet-4               3     15    0.3   3.75      6
  claude-sonnet-4-0             3     15    0.3   3.75      6
  claude-3-7-sonnet*            3     15    0.3   3.75      6
  claude-3-5-sonnet*            3     15    0.3   3.75      6
  claude-3-5-haiku*           0.8      4   0.08      1    1.6
  claude-3-opus*               15     75    1.5  18.75     30
  claude-3-sonnet*              3     15    0.3   3.75      6
  claude-3-haiku*            0.25   1.25   0.03    0.3    0.5`;

const openai = `
  gpt-6-astra                    10     50      1   12.5      -
  gpt-6-astra>271999             20     75      2     25      -
  gpt-6-sol                       2     10    0.2    2.5      -
  gpt-6-sol>272000                4     15    0.4      5      -
  gpt-6-luna                    0.1    0.5   0.01  0.125      -
  gpt-6-luna>272000             0.2   0.75   0.02   0.25      -
  gpt-5.6-sol                     5     30    0.5   6.25      -  until 2026-08-21
  gpt-5.6-sol>271999             10     45      1   12.5      -  until 2026-08-21
  gpt-5.6-sol                     4     20    0.4      5      -  from 2026-08-21
  gpt-5.6-sol>271999              8     30    0.8     10      -  from 2026-08-21
  gpt-5.6                         5     30    0.5   6.25      -  until 2026-08-21
  gpt-5.6>271999                 10     45      1   12.5      -  until 2026-08-21
  gpt-5.6                         4     20    0.4      5      -  from 2026-08-21
  gpt-5.6>271999                  8     30    0.8     10      -  from 2026-08-21
  gpt-5.6-terra                 2.5     15   0.25  3.125      -  until 2026-07-30
  gpt-5.6-terra>271999            5   22.5    0.5   6.25      -  until 2026-07-30
  gpt-5.6-terra                   2     12    0.2    2.5      -  from 2026-07-30
  gpt-5.6-terra>271999            4     18    0.4      5      -  from 2026-07-30
  gpt-5.6-luna                    1      6    0.1   1.25      -  until 2026-07-30
  gpt-5.6-luna>271999             2      9    0.2    2.5      -  until 2026-07-30
  gpt-5.6-luna                  0.2    1.2   0.02   0.25      -  from 2026-07-30
  gpt-5.6-luna>271999           0.4    1.8   0.04    0.5      -  from 2026-07-30
  gpt-5.5                         5     30    0.5      -      -
  gpt-5.5>271999                 10     45      1      -      -
  gpt-5.5-codex                   5     30    0.5      -      -
  gpt-5.5-codex>271999           10     45      1      -      -
  gpt-5.5-chat-latest             5     30    0.5      -      -
  gpt-5.5-chat-latest>271999     10     45      1      -      -
  gpt-5.5-pro                    30    180      -      -      -
  gpt-5.5-pro>271999             60    270      -      -      -
  gpt-5.4                       2.5     15   0.25      -      -
  gpt-5.4>271999                  5   22.5    0.5      -      -
  gpt-5.4-mini                 0.75    4.5  0.075      -      -
  gpt-5.4-nano                  0.2   1.25   0.02      -      -
  gpt-5.4-pro                    30    180      -      -      -
  gpt-5.4-pro>271999             60    270      -      -      -
  gpt-5.3                      1.75     14  0.175      -      -
  gpt-5.3-chat-latest          1.75     14  0.175      -      -
  gpt-5.3-codex                1.75     14  0.175      -      -
  gpt-5.2                      1.75     14  0.175      -      -
  gpt-5.2-codex                1.75     14  0.175      -      -
  gpt-5.2-chat-latest          1.75     14  0.175      -      -
  gpt-5.2-pro                    21    168      -      -      -
  gpt-5.1                      1.25     10  0.125      -      -
  gpt-5.1-codex                1.25     10  0.125      -      -
  gpt-5.1-codex-max            1.25     10  0.125      -      -
  gpt-5.1-chat-latest          1.25     10  0.125      -      -
  gpt-5.1-codex-mini           0.25      2  0.025      -      -
  gpt-5                        1.25     10  0.125      -      -
  gpt-5-codex                  1.25     10  0.125      -      -
  gpt-5-chat-latest            1.25     10  0.125      -      -
  gpt-5-mini                   0.25      2  0.025      -      -
  gpt-5-nano                   0.05    0.4  0.005      -      -
  gpt-5-pro                      15    120      -      -      -
  codex-mini-latest             1.5      6  0.375      -      -
  gpt-4.1                         2      8    0.5      -      -
  gpt-4.1-mini                  0.4    1.6    0.1      -      -
  gpt-4.1-nano                  0.1    0.4  0.025      -      -
  gpt-4o                        2.5     10   1.25      -      -
  gpt-4o-2024-05-13               5     15      -      -      -
  gpt-4o-mini                  0.15    0.6  0.075      -      -
  o4-mini                       1.1    4.4  0.275      -      -
  o3                              2      8    0.5      -      -  from 2025-06-10
  o3-pro                         20     80      -      -      -
  o3-mini                       1.1    4.4   0.55      -      -
  o1                             15     60    7.5      -      -
  o1-mini                       1.1    4.4   0.55      -      -
  o1-pro                        150    600      -      -      -`;

const google = `
  gemini-3.8-flash                   0.75   3.75  0.075      -      -  until 2027-01-01
  gemini-3.8-flash                    1.5    7.5   0.15      -      -  from 2027-01-01
  gemini-3.7-flash                   0.75   3.75  0.075      -      -  until 2027-01-01
  gemini-3.7-flash                    1.5    7.5   0.15      -      -  from 2027-01-01
  gemini-3.6-flash                   0.75   3.75  0.075      -      -  until 2027-01-01
  gemini-3.6-flash                    1.5    7.5   0.15      -      -  from 2027-01-01
  gemini-3.5-flash                    1.5      9   0.15      -      -
  gemini-3.5-flash-preview*           1.5      9   0.15      -      -
  gemini-3.5-flash-lite               0.3    2.5   0.03      -      -
  gemini-3.1-pro-preview*               2     12    0.2      -      -
  gemini-3.1-pro-preview*>200000        4     18    0.4      -      -
  gemini-3.1-flash-lite              0.25    1.5  0.025      -      -
  gemini-3.1-flash-lite-preview*     0.25    1.5  0.025      -      -
  gemini-3-pro-preview*                 2     12    0.2      -      -
  gemini-3-pro-preview*>200000          4     18    0.4      -      -
  gemini-3-flash-preview              0.5      3   0.05      -      -
  gemini-2.5-pro                     1.25     10  0.125      -      -
  gemini-2.5-pro>200000               2.5     15   0.25      -      -
  gemini-2.5-flash                    0.3    2.5   0.03      -      -
  gemini-2.5-flash-preview-09-2025    0.3    2.5   0.03      -      -
  gemini-2.5-flash-lite               0.1    0.4   0.01      -      -
  gemini-2.0-flash                    0.1    0.4  0.025      -      -
  gemini-2.0-flash-001                0.1    0.4  0.025      -      -
  gemini-2.0-flash-lite             0.075    0.3      -      -      -
  gemini-2.0-flash-lite-001         0.075    0.3      -      -      -`;

const row =
  /^(?<model>[^\s>]+)(?:>(?<above>\d+))? +(?<rates>\S+(?: +\S+){4})(?: +from (?<from>\S+))?(?: +until (?<until>\S+))?$/;

function entriesOf(provider: string, table: string): object[] {
  const lines = table.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).map((line) => {
    const { model, above = '0', rates = '', from, until } = row.exec(line)?.groups ?? {};
    const [input, output, cacheRead, cacheCreation, cacheCreation1h] = rates
      .split(/ +/)
      .map((rate) => (rate === '-' ? null : rate));
    return {
      provider,
      model,
      promptTokensAbove: Number(above),
      ...(from === undefined ? {} : { validFrom: `${from}T00:00:00Z` }),
      ...(until === undefined ? {} : { validUntil: `${until}T00:00:00Z` }),
      usdPerMillionTokens: { input, output, cacheRead, cacheCreation, cacheCreation1h },
    };
  });
}

export const shippedPrices: PublishEntries = {
  priceVersion: PRICE_VERSION,
  origin: 'shipped',
  source: SOURCE,
  entries: [
    ...entriesOf('anthropic', anthropic),
    ...entriesOf('openai', openai),
    ...entriesOf('google', google),
  ],
};
