import SchemaBuilder from '@pothos/core';
import type { SchemaContext } from './context.js';

export const builder = new SchemaBuilder<{
  Context: SchemaContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({ defaultFieldNullability: false });

builder.scalarType('DateTime', {
  description: 'A moment, RFC 3339 in UTC with milliseconds: `2026-11-23T15:02:56.464Z`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) {
      throw new TypeError('DateTime must be an RFC 3339 string.');
    }
    return new Date(value).toISOString();
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
});

builder.queryType({ description: 'What is known now.' });
builder.mutationType({ description: 'What makes swarmlens, or a server that it watches, do something.' });
builder.subscriptionType({ description: 'What changes, as it changes.' });
