/** Example operations in GraphiQL's tabs. They match the simulated servers that run without a configuration. */
export const EXAMPLE_OPERATIONS: readonly string[] = [
  `# Press the run button or Ctrl-Enter. Sends all agents first,
# then their changes, at most once per second.
# Modes: HIGH_FREQUENCY (60 Hz), NORMAL (10 Hz),
# LOW_FREQUENCY (1 Hz), ON_DEMAND.
# Filters: serverTypes, agentTypes, swarmIds. An omitted
# filter matches everything.
subscription WatchAgents {
  agentUpdates(
    serverTypes: [CLAUDE_FLOW, RUV_SWARM, DAA]
    mode: LOW_FREQUENCY
  ) {
    kind
    cursor
    agents {
      id
      name
      type
      status
      swarmId
      performance {
        tasksActive
        tasksCompleted
        healthScore
      }
      simulated
      stale
    }
    removedAgentIds
    staleServerIds
    rate {
      requestedHz
      effectiveHz
    }
  }
}
`,
  `# Starts a swarm and one agent on each simulated server.
# Run WatchAgents in a second window to see them.
# On your own servers, only tools listed in allowTools
# of the configuration can be called.
mutation StartSwarm {
  swarm: callTool(
    serverId: "ruv-swarm"
    tool: "swarm_init"
    arguments: { topology: "star", maxAgents: 8 }
  ) {
    isError
    content
    durationMs
  }
  ruvSwarmAgent: callTool(
    serverId: "ruv-swarm"
    tool: "agent_spawn"
    arguments: { type: "coder", name: "my-coder" }
  ) {
    isError
    content
    durationMs
  }
  claudeFlowAgent: callTool(
    serverId: "claude-flow"
    tool: "agent_spawn"
    arguments: { agentType: "reviewer" }
  ) {
    isError
    content
    durationMs
  }
  daaAgent: callTool(
    serverId: "daa"
    tool: "spawn_agent"
    arguments: {
      config: { name: "my-analyst", agent_type: "analyst" }
    }
  ) {
    isError
    content
    durationMs
  }
}
`,
  `query Discovery {
  discovery {
    timestamp
    totalAgents
    servers {
      id
      type
      name
      version
      transport
      status
      simulated
      agentCount
      tools
      lastError
    }
    swarms {
      id
      topology
      topologyName
      strategy
      agentCount
      tasksActive
    }
  }
}
`,
  `query Health {
  health {
    status
    uptimeMs
    servers {
      id
      status
      stale
      latency {
        p50Ms
        p95Ms
        p99Ms
      }
      circuitBreaker {
        state
        consecutiveFailures
        retryAt
      }
    }
    connections {
      open
      subscriptions
      slow
    }
    eventLoop {
      delayP99Ms
      utilization
    }
    memory {
      rssBytes
    }
  }
}
`,
  `# Sends all edges of each swarm first, then their changes.
# Inferred edges are derived from the name of the topology.
subscription Topology {
  topologyChanges {
    kind
    swarmId
    swarm {
      topology
      agentCount
    }
    edges {
      from
      to
      relation
      inferred
    }
    removedEdgeIds
  }
}
`,
  `# Sends new notices, for example about servers that become
# unavailable or recover, and agents with invalid data.
subscription Notices {
  notices {
    timestamp
    severity
    code
    serverId
    message
  }
}
`,
  `# Sends updates only on request. Keep it running and run
# AskForUpdate in a second window.
subscription OnDemand {
  agentUpdates(mode: ON_DEMAND) {
    kind
    timestamp
    patches {
      id
      patch
    }
    removedAgentIds
    performanceMetrics {
      totalAgents
      activeAgents
    }
  }
}
`,
  `mutation AskForUpdate {
  requestAgentUpdate {
    serverIds
    unansweredServerIds
    timestamp
  }
}
`,
  `# Sends all tasks first, then their changes.
# Filters: serverTypes, swarmIds, agentIds.
subscription WatchTasks {
  taskUpdates(mode: LOW_FREQUENCY) {
    kind
    cursor
    tasks {
      id
      title
      status
      agentIds
      startedAt
      endedAt
    }
    removedTaskIds
    staleServerIds
  }
}
`,
];

/** Text in GraphiQL if only trusted documents run. */
export const TRUSTED_DOCUMENTS_NOTICE = `# This server runs trusted documents only (trustedDocuments
# in its configuration). Other documents and introspection
# are FORBIDDEN, so completion and documentation are not
# available. Run a document of the manifest as the same text
# or by its SHA-256:
#   {"extensions": {"persistedQuery": {"sha256Hash": "…"}}}
`;
