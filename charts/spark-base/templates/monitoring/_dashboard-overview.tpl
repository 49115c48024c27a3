{{- define "spark-base.monitoring.dashboards.overview" -}}
title: Spark Overview
panels:
  - title: Servers
    type: stat
    width: 4
    queries: [{expr: "count(metrics_spark_driver_DAGScheduler_job_allJobs_Value{SERVER})", legend: servers}]
  - title: Executors
    type: stat
    width: 4
    queries: [{expr: 'count(metrics_executor_maxTasks{SERVER, executor_id!="driver"})', legend: executors}]
  - title: Running jobs
    type: stat
    width: 4
    queries: [{expr: "sum(metrics_spark_driver_DAGScheduler_job_activeJobs_Value{SERVER})", legend: jobs}]
  - title: Running tasks
    type: stat
    width: 4
    queries: [{expr: "sum(metrics_executor_activeTasks{SERVER})", legend: tasks}]
  - title: Failed jobs in this time
    type: stat
    width: 4
    queries: [{expr: "sum(increase(metrics_spark_driver_appStatus_jobs_failedJobs_Count{SERVER}[$__range]))", legend: jobs}]
  - title: Failed tasks in this time
    type: stat
    width: 4
    queries: [{expr: "sum(increase(metrics_spark_driver_appStatus_tasks_failedTasks_Count{SERVER}[$__range]))", legend: tasks}]
  - title: Jobs that ended
    unit: ops
    queries:
      - {expr: "sum(rate(metrics_spark_driver_appStatus_jobs_succeededJobs_Count{SERVER}[$__rate_interval]))", legend: succeeded}
      - {expr: "sum(rate(metrics_spark_driver_appStatus_jobs_failedJobs_Count{SERVER}[$__rate_interval]))", legend: failed}
  - title: Tasks and places for them
    queries:
      - {expr: "sum(metrics_executor_activeTasks{SERVER})", legend: running}
      - {expr: "sum(metrics_executor_maxTasks{SERVER})", legend: places}
  - title: Stages
    queries:
      - {expr: "sum(metrics_spark_driver_DAGScheduler_stage_runningStages_Value{SERVER})", legend: running}
      - {expr: "sum(metrics_spark_driver_DAGScheduler_stage_waitingStages_Value{SERVER})", legend: waiting}
  - title: Read and shuffled
    unit: Bps
    queries:
      - {expr: "sum(rate(metrics_executor_totalInputBytes_bytes_total{SERVER}[$__rate_interval]))", legend: input}
      - {expr: "sum(rate(metrics_executor_totalShuffleRead_bytes_total{SERVER}[$__rate_interval]))", legend: shuffle read}
      - {expr: "sum(rate(metrics_executor_totalShuffleWrite_bytes_total{SERVER}[$__rate_interval]))", legend: shuffle written}
  - title: Cached data
    unit: bytes
    queries:
      - {expr: "sum(metrics_executor_memoryUsed_bytes{SERVER})", legend: in memory}
      - {expr: "sum(metrics_executor_diskUsed_bytes{SERVER})", legend: on disk}
      - {expr: "sum(metrics_executor_maxMemory_bytes{SERVER})", legend: room in memory}
  - title: Events that the server lost
    unit: ops
    queries:
      - {expr: "sum(rate(metrics_spark_driver_LiveListenerBus_queue_appStatus_numDroppedEvents_Count{SERVER}[$__rate_interval]))", legend: interface}
      - {expr: "sum(rate(metrics_spark_driver_LiveListenerBus_queue_shared_numDroppedEvents_Count{SERVER}[$__rate_interval]))", legend: others}
  - title: Heap of servers
    unit: bytes
    queries:
      - {expr: "metrics_spark_driver_jvm_heap_used_Value{SERVER}"}
      - {expr: "max(metrics_spark_driver_jvm_heap_max_Value{SERVER})", legend: limit}
  - title: Processors that servers use
    queries: [{expr: "rate(metrics_spark_driver_JVMCPU_jvmCpuTime_Value{SERVER}[$__rate_interval]) / 1e9"}]
  - title: Garbage collection of servers
    unit: percentunit
    queries: [{expr: "rate(metrics_spark_driver_ExecutorMetrics_TotalGCTime_Value{SERVER}[$__rate_interval]) / 1e3"}]
{{- end -}}
