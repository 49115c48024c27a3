{{- define "spark-base.monitoring.dashboards.jobs" -}}
title: Job Performance
panels:
  - title: Jobs that ended
    unit: ops
    queries:
      - {expr: "sum(rate(metrics_spark_driver_appStatus_jobs_succeededJobs_Count{SERVER}[$__rate_interval]))", legend: succeeded}
      - {expr: "sum(rate(metrics_spark_driver_appStatus_jobs_failedJobs_Count{SERVER}[$__rate_interval]))", legend: failed}
  - title: Stages that ended
    unit: ops
    queries:
      - {expr: "sum(rate(metrics_spark_driver_appStatus_stages_completedStages_Count{SERVER}[$__rate_interval]))", legend: completed}
      - {expr: "sum(rate(metrics_spark_driver_appStatus_stages_skippedStages_Count{SERVER}[$__rate_interval]))", legend: skipped}
      - {expr: "sum(rate(metrics_spark_driver_appStatus_stages_failedStages_Count{SERVER}[$__rate_interval]))", legend: failed}
  - title: Tasks that ended
    unit: ops
    queries:
      - {expr: "sum(rate(metrics_spark_driver_appStatus_tasks_completedTasks_Count{SERVER}[$__rate_interval]))", legend: completed}
      - {expr: "sum(rate(metrics_spark_driver_appStatus_tasks_killedTasks_Count{SERVER}[$__rate_interval]))", legend: killed}
      - {expr: "sum(rate(metrics_spark_driver_appStatus_tasks_failedTasks_Count{SERVER}[$__rate_interval]))", legend: failed}
  - title: Duration of the last job
    unit: ms
    queries: [{expr: "metrics_spark_driver_appStatus_jobDuration_Value{SERVER}"}]
  - title: Mean time of a task
    unit: s
    queries:
      - expr: >-
          sum(rate(metrics_executor_totalDuration_seconds_total{SERVER}[$__rate_interval]))
          / sum(rate(metrics_executor_totalTasks_total{SERVER}[$__rate_interval]))
        legend: task
  - title: Waiting for places
    queries:
      - {expr: "sum(metrics_spark_driver_DAGScheduler_stage_waitingStages_Value{SERVER})", legend: stages}
      - {expr: "sum(metrics_executor_maxTasks{SERVER}) - sum(metrics_executor_activeTasks{SERVER})", legend: free places}
  - title: Shuffle
    unit: Bps
    queries:
      - {expr: "sum(rate(metrics_executor_totalShuffleRead_bytes_total{SERVER}[$__rate_interval]))", legend: read}
      - {expr: "sum(rate(metrics_executor_totalShuffleWrite_bytes_total{SERVER}[$__rate_interval]))", legend: written}
  - title: Time of the scheduler for an event
    unit: ns
    queries:
      - {expr: "max(metrics_spark_driver_DAGScheduler_messageProcessingTime_Mean{SERVER})", legend: mean}
      - {expr: "max(metrics_spark_driver_DAGScheduler_messageProcessingTime_99thPercentile{SERVER})", legend: 99th percentile}
  - title: Compiled classes
    unit: ops
    queries: [{expr: "sum(rate(metrics_spark_driver_CodeGenerator_compilationTime_Count{SERVER}[$__rate_interval]))", legend: classes}]
  - title: Time to compile a class
    unit: ms
    queries: [{expr: "max(metrics_spark_driver_CodeGenerator_compilationTime_Mean{SERVER})", legend: mean}]
  - title: Calls of the metastore
    unit: ops
    queries: [{expr: "sum(rate(metrics_spark_driver_HiveExternalCatalog_hiveClientCalls_Count{SERVER}[$__rate_interval]))", legend: calls}]
  - title: Partitions and files that queries looked at
    unit: ops
    queries:
      - {expr: "sum(rate(metrics_spark_driver_HiveExternalCatalog_partitionsFetched_Count{SERVER}[$__rate_interval]))", legend: partitions}
      - {expr: "sum(rate(metrics_spark_driver_HiveExternalCatalog_filesDiscovered_Count{SERVER}[$__rate_interval]))", legend: files}
{{- end -}}
