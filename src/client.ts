/** Entry point `swarmlens/client`: re-exports `@swarmlens/client`, so that a program has one copy of its classes. */
export * from '@swarmlens/client';
