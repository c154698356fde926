/** For specifications: a price as people write it down. */
export function entry(given: Readonly<Record<string, unknown>> = {}) {
  return {
    provider: 'anthropic',
    model: 'm',
    usdPerMillionTokens: { input: '3', output: '15' },
    ...given,
  };
}

export const from = (validFrom: string, validUntil?: string) => ({
  validFrom: `${validFrom}T00:00:00Z`,
  ...(validUntil === undefined ? {} : { validUntil: `${validUntil}T00:00:00Z` }),
});
