import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type DocumentNode,
  GraphQLError,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  parse,
  type ParseOptions,
  Source,
  TokenKind,
  validate,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { LimitCounters, LimitName } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import type { SchemaContext } from '../../schema/index.js';
import type { ErrorCode } from '../../shared/index.js';
import { maxDuplicateFieldsRule } from './duplicate-fields.js';
import { measureJsonBytes, measureJsonDepth } from '../limits/json-size.js';

/** An operation that asks for too much; it is not run. */
export function limitExceededError(message: string, code: ErrorCode = 'LIMIT_EXCEEDED'): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

/**
 * Refuses operations that ask for too much, over HTTP and WebSocket alike. A document is looked at before it is parsed,
 * while it is parsed, and before it is validated, so that the worse it is, the earlier that ends; what is refused for its
 * size or its tokens is not kept. A document that is kept has been through here.
 */
export function useOperationLimits(limits: Limits, counters: LimitCounters): Plugin<SchemaContext> {
  const refuse = (name: LimitName, message: string, code?: ErrorCode): never => {
    counters.hit(name);
    throw limitExceededError(message, code);
  };
  const rules = rulesOf(limits, refuse);
  const parseWithin = (source: string | Source, options?: ParseOptions): DocumentNode => {
    try {
      return parse(source, { ...options, maxTokens: limits.maxDocumentTokens });
    } catch (error) {
      // graphql reports an excess of tokens as a syntax error without a code.
      if (!(error instanceof GraphQLError) || !hasMoreTokens(source, limits.maxDocumentTokens)) throw error;
      return refuse('maxDocumentTokens', `The document has more than ${limits.maxDocumentTokens} tokens.`);
    }
  };
  return {
    onParse({ params, context, setParseFn }) {
      // envelop leaves the source untyped, because the parser is a plugin's to choose
      const { maxDocumentBytes, maxVariablesBytes, maxVariablesDepth } = limits;
      if (bytesOf(params.source as string | Source) > maxDocumentBytes) {
        refuse('maxDocumentBytes', `The document has more than ${maxDocumentBytes} bytes.`);
      }
      const { variables } = context.params;
      if (measureJsonBytes(variables, maxVariablesBytes) > maxVariablesBytes) {
        refuse('maxVariablesBytes', `The variables have more than ${maxVariablesBytes} bytes.`);
      }
      if (measureJsonDepth(variables, maxVariablesDepth) > maxVariablesDepth) {
        refuse('maxVariablesDepth', `The variables are nested deeper than ${maxVariablesDepth} levels.`);
      }
      setParseFn(parseWithin);
    },
    onValidate({ setValidationFn }) {
      setValidationFn((...args: Parameters<typeof validate>) => {
        const [schema, document] = args;
        // By themselves first: graphql's own rules compare fields with one another.
        validate(schema, document, rules);
        if (!limits.introspection) {
          const errors = validate(schema, document, [NoSchemaIntrospectionCustomRule]);
          if (errors.length > 0) refuse('introspection', 'The schema cannot be asked for here.', 'FORBIDDEN');
        }
        return validate(...args);
      });
    },
  };
}

/** Rules that throw: one limit that is exceeded is enough. */
function rulesOf(limits: Limits, refuse: (name: LimitName, message: string) => never): ValidationRule[] {
  const { maxDepth, maxAliases, maxDirectives, maxDuplicateFields, maxCost } = limits;
  const rejecting = (name: LimitName, message: string): { onReject: (() => never)[] } => ({
    onReject: [() => refuse(name, message)],
  });
  const deep = rejecting('maxDepth', `The operation is nested deeper than ${maxDepth} levels.`);
  const renamed = rejecting('maxAliases', `The operation has more than ${maxAliases} aliases.`);
  const directed = rejecting('maxDirectives', `The operation has more than ${maxDirectives} directives.`);
  const dear = rejecting('maxCost', `The operation costs more than ${maxCost}: ask for fewer fields at once.`);
  return [
    maxDepthRule({ n: maxDepth, flattenFragments: true, ...deep }),
    maxAliasesRule({ n: maxAliases, allowList: [], ...renamed }),
    maxDirectivesRule({ n: maxDirectives, ...directed }),
    costLimitRule({ maxCost, flattenFragments: true, ...dear }),
    maxDuplicateFieldsRule(maxDuplicateFields, () =>
      refuse('maxDuplicateFields', `The operation has one field more than ${maxDuplicateFields} times in one place.`),
    ),
  ];
}

/** Whether a document has more than `max` tokens before its first invalid character. */
function hasMoreTokens(document: string | Source, max: number): boolean {
  const lexer = new Lexer(typeof document === 'string' ? new Source(document) : document);
  try {
    for (let count = 0; count <= max; count += 1) if (lexer.advance().kind === TokenKind.EOF) return false;
    return true;
  } catch (error) {
    if (error instanceof GraphQLError) return false;
    throw error;
  }
}

function bytesOf(source: string | Source): number {
  return Buffer.byteLength(typeof source === 'string' ? source : source.body);
}
