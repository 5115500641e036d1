/** Operations that GraphiQL opens with; they fit the simulated servers that swarmlens starts without a configuration. */
export const EXAMPLE_OPERATIONS: readonly string[] = [
  `# Press the run button, or Ctrl-Enter: first all agents,
# then what changes of them, here once a second at most.
# Modes: HIGH_FREQUENCY (60 Hz), NORMAL (10 Hz),
# LOW_FREQUENCY (1 Hz), ON_DEMAND.
# Filters: serverTypes, agentTypes, swarmIds; left out: all.
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
  `# Starts a swarm, and an agent on each simulated server.
# To see them arrive, run WatchAgents in a second window.
# Of your own servers, only tools that the configuration
# allows (allowTools) can be called.
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
  `# All edges of each swarm, then what changes of them.
# An inferred edge follows from the topology's name.
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
  `# What a person should see, from now on: servers that go and
# come back, agents that cannot be understood.
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
  `# Moves only when somebody asks: leave it running, and run
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
];

/** What stands there when nothing can be tried out. */
export const TRUSTED_DOCUMENTS_NOTICE = `# This server runs trusted documents only (trustedDocuments
# in its configuration). What you write here is FORBIDDEN,
# and so is introspection: there is no completion and no
# documentation. A document of the manifest runs as the very
# same text, or by its SHA-256:
#   {"extensions": {"persistedQuery": {"sha256Hash": "…"}}}
`;
