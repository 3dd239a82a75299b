export { contractCases } from './contract-cases.js'
export type { ContractCase } from './contract-cases.js'
export type { ContractFixture, ContractStore, OwnClock } from './contract-fixture.js'
