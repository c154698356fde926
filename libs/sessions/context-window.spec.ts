import { contextWindowOf } from './context-window.js';

describe('The context window', () => {
  test.each([
    ['claude-sonnet-4-5-20250929', 200_000],
    ['claude-sonnet-4-5', 200_000],
    ['claude-sonnet-4-20250514', 200_000],
    ['claude-opus-4-1-20250805', 200_000],
    ['claude-3-5-haiku-20241022', 200_000],
    ['claude-sonnet-4-5-20250929[1m]', 1_000_000],
    ['claude-opus-5-5', 1_000_000],
    ['claude-haiku-5-5', 1_000_000],
    ['gpt-5.6-sol', 258_400],
    ['gpt-5', 258_400],
    ['gemini-2.5-pro', 1_048_576],
  ])('of %s holds %d tokens', (model, tokens) => {
    expect(contextWindowOf(model)).toBe(tokens);
  });

  test.each(['claude-sonnet-45', 'llama', '', null])('of %j is not known', (model) => {
    expect(contextWindowOf(model)).toBeNull();
  });
});
